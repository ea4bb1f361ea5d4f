using Microsoft.Extensions.Logging;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>
/// An assembly made in memory that breaks a rule on purpose: a rule that never failed is not known to be able to. Nothing
/// in it is ever run.
/// </summary>
public sealed class SampleAssembly
{
    private readonly AssemblyDefinition assembly;

    public SampleAssembly(string name) =>
        assembly = AssemblyDefinition.CreateAssembly(new(name, new Version(1, 0)), name, ModuleKind.Dll);

    public AssemblyDefinition Definition => assembly;

    /// <summary>Adds a public sealed class that implements the interfaces and, in a method's body, names the types used and calls the constructors.</summary>
    public SampleAssembly Class(string name, IEnumerable<TypeReference>? implements = null, IEnumerable<TypeReference>? uses = null, TypeReference? derivesFrom = null, TypeAttributes kind = TypeAttributes.Public | TypeAttributes.Sealed, IEnumerable<System.Reflection.ConstructorInfo>? makes = null)
    {
        var type = Define(name, kind | TypeAttributes.Class, derivesFrom ?? assembly.MainModule.TypeSystem.Object);
        foreach (var implemented in implements ?? []) type.Interfaces.Add(new(assembly.MainModule.ImportReference(implemented)));
        var method = new MethodDefinition("Work", MethodAttributes.Public, assembly.MainModule.TypeSystem.Void);
        var body = method.Body.GetILProcessor();
        foreach (var used in uses ?? []) body.Emit(OpCodes.Ldtoken, assembly.MainModule.ImportReference(used));
        foreach (var made in makes ?? [])
        {
            body.Emit(OpCodes.Newobj, assembly.MainModule.ImportReference(made));
            body.Emit(OpCodes.Pop);
        }

        body.Emit(OpCodes.Ret);
        type.Methods.Add(method);
        return this;
    }

    /// <summary>Adds a public interface with an attribute of another assembly's.</summary>
    public SampleAssembly Interface(string name, MethodReference? attribute = null, params object[] arguments)
    {
        var type = Define(name, TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract, null);
        if (attribute is null) return this;
        var mark = new CustomAttribute(assembly.MainModule.ImportReference(attribute));
        foreach (var (argument, parameter) in arguments.Zip(attribute.Parameters)) mark.ConstructorArguments.Add(new(parameter.ParameterType, argument));
        type.CustomAttributes.Add(mark);
        return this;
    }

    /// <summary>Adds a class with a method for each of the log events, by their ids.</summary>
    public SampleAssembly Logs(string name, params int[] ids)
    {
        Class(name);
        var attribute = typeof(LoggerMessageAttribute).GetConstructor([typeof(int), typeof(LogLevel), typeof(string)])!;
        foreach (var id in ids)
        {
            var method = new MethodDefinition($"Log{id}", MethodAttributes.Public, assembly.MainModule.TypeSystem.Void);
            var mark = new CustomAttribute(assembly.MainModule.ImportReference(attribute));
            foreach (var (argument, parameter) in new object[] { id, (int)LogLevel.Warning, "It happened." }.Zip(mark.Constructor.Parameters)) mark.ConstructorArguments.Add(new(parameter.ParameterType, argument));
            method.CustomAttributes.Add(mark);
            method.Body.GetILProcessor().Emit(OpCodes.Ret);
            Type(name).Methods.Add(method);
        }

        return this;
    }

    public TypeDefinition Type(string name) => assembly.MainModule.GetType(name);

    /// <summary>A type of an assembly that need not exist.</summary>
    public static TypeReference Foreign(string assembly, string name)
    {
        var module = ModuleDefinition.CreateModule("elsewhere", ModuleKind.Dll);
        return new(Namespace(name), Simple(name), module, new AssemblyNameReference(assembly, new Version(1, 0)));
    }

    private TypeDefinition Define(string name, TypeAttributes attributes, TypeReference? parent)
    {
        var type = new TypeDefinition(Namespace(name), Simple(name), attributes, parent is null ? null : assembly.MainModule.ImportReference(parent));
        assembly.MainModule.Types.Add(type);
        return type;
    }

    private static string Namespace(string name) => name.Contains('.', StringComparison.Ordinal) ? name[..name.LastIndexOf('.')] : string.Empty;

    private static string Simple(string name) => name[(name.LastIndexOf('.') + 1)..];
}
