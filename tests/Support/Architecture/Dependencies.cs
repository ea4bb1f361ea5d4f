using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>A type that another uses, and the assembly it is used from.</summary>
public sealed record Dependency(string Type, string Assembly);

/// <summary>
/// Everything a type uses: in signatures, attributes, constraints and method bodies, as a generic argument, and through the
/// closures and state machines that the compiler made for it.
/// </summary>
public sealed class Dependencies
{
    private readonly HashSet<Dependency> found = [];

    private Dependencies()
    {
    }

    public static IReadOnlyCollection<Dependency> Of(TypeDefinition type)
    {
        var dependencies = new Dependencies();
        dependencies.Read(type);
        return dependencies.found;
    }

    private void Read(TypeDefinition type)
    {
        Add(type.BaseType);
        foreach (var implemented in type.Interfaces) Add(implemented.InterfaceType);
        Read((ICustomAttributeProvider)type);
        Read((IGenericParameterProvider)type);
        foreach (var field in type.Fields) Read(field, field.FieldType);
        foreach (var property in type.Properties) Read(property, property.PropertyType);
        foreach (var happening in type.Events) Read(happening, happening.EventType);
        foreach (var method in type.Methods) Read(method);
        foreach (var nested in type.NestedTypes) Read(nested);
    }

    private void Read(MethodDefinition method)
    {
        Read(method, method.ReturnType);
        Read((IGenericParameterProvider)method);
        foreach (var parameter in method.Parameters) Read(parameter, parameter.ParameterType);
        if (!method.HasBody) return;
        foreach (var variable in method.Body.Variables) Add(variable.VariableType);
        foreach (var handler in method.Body.ExceptionHandlers) Add(handler.CatchType);
        foreach (var instruction in method.Body.Instructions) Read(instruction);
    }

    private void Read(Instruction instruction)
    {
        switch (instruction.Operand)
        {
            case TypeReference type:
                Add(type);
                break;
            case FieldReference field:
                Add(field.DeclaringType);
                Add(field.FieldType);
                break;
            case MethodReference method:
                Add(method.DeclaringType);
                Add(method.ReturnType);
                foreach (var parameter in method.Parameters) Add(parameter.ParameterType);
                if (method is GenericInstanceMethod generic) AddAll(generic.GenericArguments);
                break;
        }
    }

    private void Read(ICustomAttributeProvider provider, TypeReference type)
    {
        Add(type);
        Read(provider);
    }

    private void Read(ICustomAttributeProvider provider)
    {
        foreach (var attribute in provider.CustomAttributes)
        {
            Add(attribute.AttributeType);
            foreach (var argument in attribute.ConstructorArguments) Add(argument.Value as TypeReference);
        }
    }

    private void Read(IGenericParameterProvider provider)
    {
        foreach (var parameter in provider.GenericParameters)
        foreach (var constraint in parameter.Constraints) Add(constraint.ConstraintType);
    }

    private void AddAll(IEnumerable<TypeReference> types)
    {
        foreach (var type in types) Add(type);
    }

    private void Add(TypeReference? type)
    {
        switch (type)
        {
            case null or GenericParameter:
                return;
            case GenericInstanceType generic:
                Add(generic.ElementType);
                AddAll(generic.GenericArguments);
                return;
            case FunctionPointerType pointer:
                Add(pointer.ReturnType);
                AddAll(pointer.Parameters.Select(parameter => parameter.ParameterType));
                return;
            case TypeSpecification specification:
                Add(specification.ElementType);
                return;
            default:
                found.Add(new(type.FullName, type.Scope is AssemblyNameReference assembly ? assembly.Name : type.Module.Assembly.Name.Name));
                return;
        }
    }
}
